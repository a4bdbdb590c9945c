"""What the `boroughlink` command takes and says: options and wording, one file a field of work.

What a command does stands in `running`, `stewardship`, `modelling`, `custody`, `outgoing` and `reading`, and is
imported only by the command that needs it.
"""
