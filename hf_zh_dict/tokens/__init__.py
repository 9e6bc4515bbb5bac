"""The train split in, a tokenizer out; with it, the text as training blocks of token ids."""
