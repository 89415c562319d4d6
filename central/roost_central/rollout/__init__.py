"""Rollouts: releases that reach their sites wave by wave, and stop where sites fail."""
