"""What travels in every bundle and must run without Django: the stand-alone verifier."""
