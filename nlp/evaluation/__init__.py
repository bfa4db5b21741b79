"""How good the readings are: labelled reports against what the reader makes of them.

Nothing here takes part in reading, so a change here leaves the rules version as it is.
"""
