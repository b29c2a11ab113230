"""Virtual machines by the processes that run them (VMMs), whoever started them."""
