# Prints -fopenmp if $CC builds with OpenMP, else nothing.
folder=$(mktemp -d) || exit 0
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 0
printf '#include <omp.h>\nint main(void) { return omp_get_max_threads() > 0 ? 0 : 1; }\n' > parallel.c
printf 'int main(void) { return 0; }\n' > plain.c
$CC -Werror -fopenmp parallel.c -o parallel 2>/dev/null || exit 0
if ! ./parallel 2>/dev/null; then
    $CC plain.c -o plain 2>/dev/null && ./plain 2>/dev/null && exit 0 # another machine's compiler runs neither
fi
echo -fopenmp
