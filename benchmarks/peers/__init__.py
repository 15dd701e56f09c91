"""What our services are measured beside: each does the same work, or only that of the framework or client
that ours stands on, as those who know it would write it. A process each; most time themselves and print JSON.
"""
