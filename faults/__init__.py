"""The fault campaign: ratings come in while every part of the system is broken, and a checker counts."""
