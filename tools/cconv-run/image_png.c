/* PNG by libpng, where it was there when this was built (HAVE_PNG). */
#include "image.h"
#include "say.h"
#ifdef HAVE_PNG
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

typedef struct jump {
    const char *path;
    png_structp png;
    png_infop info;
    png_bytep *rows;
} jump;

static void jump_back(png_structp png, png_const_charp text)
{
    say_about(((jump *)png_get_error_ptr(png))->path, "%s", text);
    png_longjmp(png, 1);
}

/* Odd colour profiles and the like: the pixels are there. */
static void ignore_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

/* Everything that may jump: what it made stands in `j` and `out`. */
static int read_rows(jump *j, FILE *file, image *out)
{
    if (setjmp(png_jmpbuf(j->png))) return 0;
    png_init_io(j->png, file);
    png_read_info(j->png, j->info);
    png_set_strip_16(j->png);
    png_set_palette_to_rgb(j->png);
    png_set_expand_gray_1_2_4_to_8(j->png);
    png_set_strip_alpha(j->png);
    png_set_interlace_handling(j->png);
    png_read_update_info(j->png, j->info);
    const png_uint_32 width = png_get_image_width(j->png, j->info), height = png_get_image_height(j->png, j->info);
    if (!image_room(j->path, out, (long)width, (long)height, png_get_channels(j->png, j->info))) return 0;
    j->rows = room(height, sizeof *j->rows);
    if (!j->rows) return 0;
    for (png_uint_32 y = 0; y < height; ++y) j->rows[y] = out->pixels + (size_t)y * width * (size_t)out->channels;
    png_read_image(j->png, j->rows);
    png_read_end(j->png, NULL);
    return 1;
}

int image_read_png(const char *path, FILE *file, image *out)
{
    jump j = {.path = path};
    int fine = 0;
    j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, jump_back, ignore_warning);
    if (j.png) j.info = png_create_info_struct(j.png);
    if (j.info) {
        fine = read_rows(&j, file, out);
    } else {
        say_about(path, "libpng does not start (no memory, or another version than at build)");
    }
    png_destroy_read_struct(&j.png, &j.info, NULL);
    free(j.rows);
    return fine;
}
#else
int image_read_png(const char *path, FILE *file, image *out)
{
    (void)file, (void)out;
    return say_about(path, "PNG files need libpng, which was not there when cconv-run was built");
}
#endif
