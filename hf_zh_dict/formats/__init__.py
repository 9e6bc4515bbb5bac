"""Models of other programs in, ours out, and the other way: llama2.c, GGUF."""
