"""What clerks, scanners and uploads do to names, dates and numbers; tables of our own."""
