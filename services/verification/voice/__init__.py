"""Recorded digits, one small WAV file each: `vi-0.wav` … `en-9.wav`."""
