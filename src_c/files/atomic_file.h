/* Files as a whole: written so that a reader finds the old one or the new one, whatever happens in between; and read. */
#ifndef CC_ATOMIC_FILE_H
#define CC_ATOMIC_FILE_H

#include "base/status.h"

typedef struct cc_atomic_file {
    int descriptor;
    char *path, *temporary; /* the file to be, and the one beside it that is written to */
} cc_atomic_file;

/* Begins a file: what is written goes to a temporary one in the same folder. A symbolic link is followed. */
cconv_status cc_atomic_begin(cc_atomic_file *file, const char *path);
cconv_status cc_atomic_write(cc_atomic_file *file, const void *bytes, uint64_t size);
/* The end of a file that was begun. What was written reaches the disk and takes the place of what was at path, if `status`, that of
 * what was done so far, is CCONV_OK; else it goes, and path is as it was. Returns what came first. */
cconv_status cc_atomic_end(cc_atomic_file *file, cconv_status status);

/* All bytes of a file, to be freed by cc_free. */
cconv_status cc_file_read(const char *path, uint8_t **bytes, uint64_t *size);

#endif
