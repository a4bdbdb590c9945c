"""Whether data is fit to be linked: what today's records let a model find, and which field to mend first.

No truth is read: everything follows from the model's m and u, its calibration, the blocking rules and the scored pairs.
"""
