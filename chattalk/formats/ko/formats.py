"""Django writes 5:25 오전; people write 오전 5:25."""

DATETIME_FORMAT = "Y년 n월 j일 A g:i"
