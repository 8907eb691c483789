"""Every error the library raises, as one tree.

    LibraryError
    |-- SettingsError           a setting that cannot be used
    |-- StorageError            the library's own folder cannot be written to
    |-- DatabaseError           the database cannot be opened or written to
    |   `-- SchemaTooNewError   it was made by a newer version of the program
    |-- FileListError           a file list that is not ours, or cut off
    |-- PhotoError              a picture that cannot be decoded
    |   |-- PhotoTooLargeError  it would take too much memory
    |   `-- PhotoTooSlowError   its decode did not come to an end in time
    |-- CrawlBusyError          another crawl is at work in this library
    `-- VectorIndexError        the index does not answer as it should
        |-- IndexBusyError      another process owns it
        `-- IndexUnreachableError   the Chroma server does not answer

Each message is written for the person who gets it: what happened, to which file, what to do.
"""


class LibraryError(Exception):
    """The root: whatever the library raises on purpose."""


class SettingsError(LibraryError):
    """A setting has a value that cannot be used."""


class StorageError(LibraryError):
    """Something could not be written into the library's folder: no room, or no permission."""


class DatabaseError(LibraryError):
    """The database cannot be opened or written to, or is not ours."""


class SchemaTooNewError(DatabaseError):
    """The database was written by a newer version; it was left untouched."""


class FileListError(LibraryError):
    """The msgpack file list is not one of ours, or was cut off."""


class PhotoError(LibraryError):
    """A picture that cannot be decoded."""


class PhotoTooLargeError(PhotoError):
    """A picture whose pixels would take more memory than MAX_IMAGE_MEGAPIXELS allows."""


class PhotoTooSlowError(PhotoError):
    """A picture whose decode took longer than anybody waits."""


class CrawlBusyError(LibraryError):
    """Another crawl holds this library."""


class VectorIndexError(LibraryError):
    """The vector index does not open or does not answer as it should."""


class IndexBusyError(VectorIndexError):
    """Another process owns the index."""


class IndexUnreachableError(VectorIndexError):
    """The Chroma server of CHROMA_URL does not answer, or not in time; nothing of it is lost."""
