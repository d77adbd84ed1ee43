"""What ChatTalk makes of many cores: see bench/cores/__main__.py."""
