"""The road, told room by room: building → training → judging; `reporting` makes pages on the way.

corpus → tokenizer → blocks → train → evaluate
"""
