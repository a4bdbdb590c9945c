"""The end of a run: the snapshot that readers open, the figures and the page; then the commit point."""
