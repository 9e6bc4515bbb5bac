"""Blocks and a model in, a trained model out, and everything that training can be resumed from."""
