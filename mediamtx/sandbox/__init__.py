"""The sandbox node: a small stand-in for MediaMTX, for first runs and tests.

It reads the same mediamtx.yml and keeps the same contract towards encoders, viewers
and the control plane, for RTMP in and HLS out. Never for production.
"""
