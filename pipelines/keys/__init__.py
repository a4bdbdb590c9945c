"""Keys and what only a key gives: the keystore, pseudonyms, MACs of rows, sealed texts. They ask no other room."""
