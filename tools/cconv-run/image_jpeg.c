/* JPEG by libjpeg, where it was there when this was built (HAVE_JPEG). */
#include "image.h"
#include "say.h"
#ifdef HAVE_JPEG
#include <setjmp.h>
#include <jpeglib.h>
#include <jerror.h>

/* libjpeg ends the program after an error unless one jumps away from it. */
typedef struct jump {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
} jump;

static void jump_back(j_common_ptr state)
{
    jump *to = (jump *)state->err;
    state->err->format_message(state, to->text);
    longjmp(to->back, 1);
}

/* Of all warnings two are damage: the rest of a file that was cut off would be grey. */
static void note_warning(j_common_ptr state, int level)
{
    const int code = state->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) jump_back(state);
}

int image_read_jpeg(const char *path, FILE *file, image *out)
{
    struct jpeg_decompress_struct state;
    jump errors;
    state.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = jump_back;
    errors.manager.emit_message = note_warning;
    if (setjmp(errors.back)) {
        jpeg_destroy_decompress(&state);
        return say_about(path, "%s", errors.text);
    }
    jpeg_create_decompress(&state);
    jpeg_stdio_src(&state, file);
    jpeg_read_header(&state, TRUE);
    if (state.num_components != 1 && state.num_components != 3) {
        say_about(path, "expected grey or three colours, found %d components (CMYK is not supported)", state.num_components);
        jpeg_destroy_decompress(&state);
        return 0;
    }
    state.out_color_space = state.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&state);
    const int fine = image_room(path, out, (long)state.output_width, (long)state.output_height, state.num_components);
    while (fine && state.output_scanline < state.output_height) {
        JSAMPROW row = out->pixels + (size_t)state.output_scanline * state.output_width * (size_t)state.num_components;
        jpeg_read_scanlines(&state, &row, 1);
    }
    if (fine) jpeg_finish_decompress(&state);
    jpeg_destroy_decompress(&state);
    return fine;
}
#else
int image_read_jpeg(const char *path, FILE *file, image *out)
{
    (void)file, (void)out;
    return say_about(path, "JPEG files need libjpeg, which was not there when cconv-run was built");
}
#endif
