"""Where the command was: scripts of installations from before it had a package of its own still look here."""

from boroughlink.cli import main as main
