"""What leaves by a command: stamped files, releases, protected answers; noted in the audit before a byte is written."""
