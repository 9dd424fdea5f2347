# The compiler flags of libcconv: the one place, but for those of instruction sets, which stand in kernels/levels.def.
# Read by make and, as "NAME = words" lines, by setup.py.
STANDARD = -std=c11
# Loops begin with a line of the cache: a kernel's time would depend on the length of the code before it.
OPTIMIZE = -O3 -falign-loops=64 -fno-math-errno -fno-trapping-math -ffp-contract=off
HIDE = -fvisibility=hidden
WARN = -Wall -Wextra -Wshadow -Wpedantic -Wconversion -Wno-sign-conversion
