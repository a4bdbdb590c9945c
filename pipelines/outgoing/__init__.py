"""What leaves by a command: stamped files, releases, protected answers; noted in the audit before a byte is written.

How a file may leave is said in `exports`, how safe a release must be in `releases`.
"""
