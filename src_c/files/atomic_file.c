/* Files by the system's own calls, which alone know of "reaches the disk" and "takes the place of": see atomic_file.h. */
#if !defined(_WIN32) && !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64
#endif
#if !defined(_WIN32) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 /* realpath, fsync */
#endif
#include "files/atomic_file.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#include <windows.h>
#define OPEN_READ   (_O_RDONLY | _O_BINARY)
#define OPEN_WRITE  (_O_WRONLY | _O_BINARY | _O_CREAT | _O_EXCL)
#define open_file   _open
#define close_file  _close
#define read_bytes  _read
#define write_bytes _write
#define reach_disk  _commit
#define seek        _lseeki64
#define process     _getpid
#define remove_file _unlink
#define PERMISSIONS (_S_IREAD | _S_IWRITE)
#define _S_IREAD    0400
#define _S_IWRITE   0200
typedef int count;
#else
#include <unistd.h>
#define OPEN_READ   (O_RDONLY | O_NONBLOCK | O_CLOEXEC) /* nobody waits for who writes to a pipe */
#define OPEN_WRITE  (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
#define open_file   open
#define close_file  close
#define read_bytes  read
#define write_bytes write
#define reach_disk  fsync
#define seek        lseek
#define process     getpid
#define remove_file unlink
#define PERMISSIONS 0666
typedef ssize_t count;
#endif

enum { LARGEST = 1 << 30, NAMES = 100 }; /* bytes of one call; temporary names that are tried */

static cconv_status refused(const char *what, const char *path)
{
    const int reason = errno;
    return cc_fail(CCONV_IO, "%.300s: could not %s: %s", path, what, strerror(reason));
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static cconv_status open_temporary(cc_atomic_file *file)
{
    const size_t length = strlen(file->path) + 48;
    file->temporary = cc_alloc(length);
    if (!file->temporary) return CCONV_NO_MEMORY;
    for (int i = 0; i < NAMES; ++i) {
        snprintf(file->temporary, length, "%s.%ld-%d.tmp", file->path, (long)process(), i);
        file->descriptor = open_file(file->temporary, OPEN_WRITE, PERMISSIONS);
        if (file->descriptor >= 0) return CCONV_OK;
        if (errno != EEXIST) break;
    }
    return refused("write beside it", file->path);
}

cconv_status cc_atomic_begin(cc_atomic_file *file, const char *path)
{
    *file = (cc_atomic_file){.descriptor = -1};
#if !defined(_WIN32) && defined(PATH_MAX)
    char real[PATH_MAX];
    if (realpath(path, real)) path = real; /* else there is none yet */
#endif
    const size_t length = strlen(path) + 1;
    file->path = cc_alloc(length);
    if (file->path) memcpy(file->path, path, length);
    cconv_status status = file->path ? open_temporary(file) : CCONV_NO_MEMORY;
    if (status == CCONV_OK) return status;
    cc_free(file->path);
    cc_free(file->temporary);
    return status;
}

cconv_status cc_atomic_write(cc_atomic_file *file, const void *bytes, uint64_t size)
{
    const char *at = bytes;
    while (size) {
        const count wrote = write_bytes(file->descriptor, at, size < LARGEST ? (unsigned)size : LARGEST);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return refused("write", file->path);
        at += wrote;
        size -= (uint64_t)wrote;
    }
    return CCONV_OK;
}

static int take_place(const cc_atomic_file *file)
{
#if defined(_WIN32)
    const DWORD how = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    if (MoveFileExA(file->temporary, file->path, how)) return 0;
    errno = EACCES;
    return -1;
#else
    return rename(file->temporary, file->path);
#endif
}

/* So that the name survives a power failure, too. Some file systems cannot do it: the file itself is on the disk. */
static void sync_folder(char *path)
{
#if !defined(_WIN32)
    char *slash = strrchr(path, '/');
    if (slash) slash[slash == path] = 0;
    const int folder = open_file(slash ? path : ".", OPEN_READ);
    if (folder < 0) return;
    reach_disk(folder);
    close_file(folder);
#else
    (void)path;
#endif
}

cconv_status cc_atomic_end(cc_atomic_file *file, cconv_status status)
{
    if (status == CCONV_OK && reach_disk(file->descriptor) != 0) status = refused("write to the disk", file->path);
    if (close_file(file->descriptor) != 0 && status == CCONV_OK) status = refused("close", file->path);
    if (status == CCONV_OK && take_place(file) != 0) status = refused("replace", file->path);
    if (status == CCONV_OK)
        sync_folder(file->path);
    else
        remove_file(file->temporary);
    cc_free(file->path);
    cc_free(file->temporary);
    return status;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

/* Exactly so many bytes. */
static cconv_status read_all(int descriptor, const char *path, uint8_t *to, uint64_t size)
{
    while (size) {
        const count got = read_bytes(descriptor, to, size < LARGEST ? (unsigned)size : LARGEST);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refused("read", path);
        if (got == 0) return cc_fail(CCONV_IO, "%.300s: it became shorter while it was read", path);
        to += got;
        size -= (uint64_t)got;
    }
    return CCONV_OK;
}

/* A folder can be opened, and has a size of its own. */
static cconv_status read_open(int descriptor, const char *path, uint8_t **bytes, uint64_t *size)
{
    uint8_t one;
    const int64_t end = read_bytes(descriptor, &one, 1) < 0 ? -1 : (int64_t)seek(descriptor, 0, SEEK_END);
    if (end < 0 || seek(descriptor, 0, SEEK_SET) != 0) return refused("read", path);
    *size = (uint64_t)end;
    *bytes = cc_alloc(*size);
    if (!*bytes) return CCONV_NO_MEMORY;
    const cconv_status status = read_all(descriptor, path, *bytes, *size);
    if (status != CCONV_OK) cc_free(*bytes);
    return status;
}

cconv_status cc_file_read(const char *path, uint8_t **bytes, uint64_t *size)
{
    *bytes = NULL;
    const int descriptor = open_file(path, OPEN_READ);
    if (descriptor < 0) return refused("open", path);
    const cconv_status status = read_open(descriptor, path, bytes, size);
    close_file(descriptor);
    if (status != CCONV_OK) *bytes = NULL;
    return status;
}
