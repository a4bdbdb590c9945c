"""Proofs, one folder a room of the code; `ground` is the pipeline's loose files, `end_to_end` runs the real command.

What an analyst may want to read or extend stands in YAML: given, expected. A long proof has a small form here and its
whole form marked `prove` (`make prove`). All people are invented.
"""
