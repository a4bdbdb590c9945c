"""The `boroughlink` command: options and wording, one file a field of work, and nothing of the work itself.

What a command does stands in the rooms of `pipelines` and in `review_app`, and is imported only by the command that
needs it.
"""
