"""Segmentors: whole models, from images to losses or predictions."""

from .encoder_decoder import EncoderDecoder

__all__ = ['EncoderDecoder']
