"""A model and a corpus in, what the model knows out: measures with intervals, beside chance."""
