"""Purposes, keys, audit and pseudonyms: asked by everyone, asking no one."""
