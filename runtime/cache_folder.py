"""Where what can be made again is kept: tokenised files, unpacked backbones, what was measured of the machine."""

CACHE_DIR = "~/.cache/tandem"
