# The compiler flags of libcconv: the one place, but for those of instruction sets, which stand in kernels/levels.def.
# Read by make and, as "NAME = words" lines, by setup.py.
STANDARD = -std=c11
OPTIMIZE = -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off
HIDE = -fvisibility=hidden
WARN = -Wall -Wextra -Wshadow -Wpedantic -Wconversion -Wno-sign-conversion
