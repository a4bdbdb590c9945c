"""Records of other people's making, linked by the commands that a council uses."""
