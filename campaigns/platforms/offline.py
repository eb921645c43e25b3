"""Offline: money that reaches the organisation itself. There is nobody to ask; staff book it."""

from campaigns.platforms.base import N_

NAME = "offline"
LABEL = N_("Given directly")
