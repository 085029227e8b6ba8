"""Datasets in chunks, compressed or not, by every index of chunks that the HDF5 library has, and a model of Keras repacked: hdf5.zip.

  python tests/formats/make_hdf5.py   (h5py 3.16.0 with HDF5 2.0.0, numpy 2.4.6)

numbers.json has the shape and the numbers of each dataset; the folder is that of a form of the format.
"""

import ctypes
import glob
import io
import json
import pathlib
import zipfile

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
FORMS = {"older": "earliest", "v110": ("v110", "v110"), "newest": "latest"}
PACKED = {
    "plain": {},
    "gzip": {"compression": "gzip"},
    "fletcher32": {"fletcher32": True},
    "all": {"compression": 9, "shuffle": True, "fletcher32": True},
}
# How far each axis may grow: which index the library takes depends on it.
GROWING = {
    "fixed": lambda shape: None,
    "to bounds": lambda shape: tuple(d + 9 for d in shape),
    "first": lambda shape: (None, *shape[1:]),
    "last": lambda shape: (*shape[:-1], None),
    "everywhere": lambda shape: (None,) * len(shape),
}
library = ctypes.CDLL(glob.glob(str(pathlib.Path(h5py.__file__).parent.parent / "h5py.libs" / "libhdf5-*"))[0])
random = np.random.default_rng(5)


def created(file, name, array, chunks, most=None, early=False, ends=False):
    """With settings that h5py has no option for."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk(chunks)
    if early:
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    if ends:
        settings.set_deflate(6)
        # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
        assert library.H5Pset_chunk_opts(ctypes.c_int64(settings.id), ctypes.c_uint(2)) >= 0
    space = h5py.h5s.create_simple(array.shape, most)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, settings).write(h5py.h5s.ALL, h5py.h5s.ALL, array)


def of_numbers(file, form):
    floats = random.standard_normal((7, 10)).astype("f4")
    deep = np.repeat(random.integers(-9, 9, (5, 4, 3)), 2, axis=2).astype("i2")
    many = np.arange(1030, dtype="f4")
    for packed, how in PACKED.items():
        for growing, most in GROWING.items():
            file.create_dataset(f"{packed}, {growing}", data=floats, chunks=(3, 4), maxshape=most(floats.shape), **how)
            file.create_dataset(f"{packed}, {growing}, three axes", data=deep, chunks=(2, 4, 5), maxshape=most(deep.shape), **how)
        file.create_dataset(f"{packed}, one chunk", data=floats, chunks=floats.shape, **how)
    doubles = file.create_dataset("doubles", data=floats.astype(">f8"), chunks=(7, 3), compression="gzip", shuffle=True)
    assert doubles.dtype.byteorder == ">"
    file.create_dataset("pages", data=many, chunks=(1,))
    file.create_dataset("pages that grow", data=many, chunks=(1,), maxshape=(None,))
    created(file, "in a row", floats, (3, 4), early=True)
    created(file, "in a row, to bounds", floats, (3, 4), (9, 30), early=True)
    if form != "older":
        created(file, "plain ends", floats, (3, 4), ends=True)
    smaller = file.create_dataset("made smaller", data=floats, chunks=(3, 4), maxshape=(None, None), compression="gzip")
    smaller.resize((4, 6))
    numbers = {name: {"shape": each.shape, "numbers": each[...].astype("f8").ravel().tolist()} for name, each in file.items()}
    file.create_dataset("holes", shape=(9, 9), chunks=(3, 3), dtype="f4")[0, 0] = 1
    file.create_dataset("lzf", data=floats, compression="lzf")
    return numbers


def repacked(source, target):
    """Every array in chunks, compressed, as users repack files."""
    for key, value in source.attrs.items():
        target.attrs.create(key, value, dtype=source.attrs.get_id(key).dtype)
    for name, each in source.items():
        if isinstance(each, h5py.Group):
            repacked(each, target.create_group(name))
        elif each.shape == ():
            target.create_dataset(name, data=each[()])
        else:
            target.create_dataset(name, data=each[...], chunks=True, compression="gzip", shuffle=True, fletcher32=True)


if __name__ == "__main__":
    entries = {}
    keras = zipfile.ZipFile(HERE / "keras.zip")
    for form, libver in FORMS.items():
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=libver) as file:
            numbers = of_numbers(file, form)
        entries[f"{form}/numbers.h5"] = buffer.getvalue()
        entries[f"{form}/numbers.json"] = json.dumps(numbers, separators=(",", ":")).encode()
        buffer = io.BytesIO()
        with h5py.File(io.BytesIO(keras.read("with_adam.h5"))) as source, h5py.File(buffer, "w", libver=libver) as target:
            repacked(source, target)
        entries[f"{form}/with_adam.h5"] = buffer.getvalue()
    with zipfile.ZipFile(HERE / "hdf5.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content in entries.items():
            out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
            print(name, len(content))
    print((HERE / "hdf5.zip").stat().st_size)
