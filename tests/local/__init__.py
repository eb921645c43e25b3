"""Tests of the one-command run."""
