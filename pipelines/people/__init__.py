"""Every mention of a person in one standard shape, and where each was said to live, and when. Who is who is decided in
`linkage`.
"""
