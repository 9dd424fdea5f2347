# The compiler flags of libcconv: the one place. Read by make and, as "NAME = words" lines, by setup.py.
STANDARD = -std=c11
OPTIMIZE = -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off
HIDE = -fvisibility=hidden
WARN = -Wall -Wextra -Wshadow -Wpedantic -Wconversion -Wno-sign-conversion
# kernels/isa_<level>.c gets ISA_<level>, if compiler and target know the flags. dispatch.c asks the CPU for the same features.
ISA_avx2 = -mavx2 -mfma
ISA_avx512 = -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma
