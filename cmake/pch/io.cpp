// Compiled for its precompiled header alone, see pch.cmake.
