"""`python -m boroughlink`: the command, without its script."""

from boroughlink.cli import main

main()
