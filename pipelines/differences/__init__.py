"""What differs between two runs, published or previewed."""
