# Compiler, linker and warnings. A missing accelerator only costs time, so none is required.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # ccache accepts precompiled headers only when told what they may hide.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
find_program(LLD_PROGRAM ld.lld)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
elseif(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -gline-tables-only -fno-omit-frame-pointer")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -fno-omit-frame-pointer")
  string(REPLACE "-gline-tables-only" "-g1" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
endif()

if(CAIRN_SANITIZE)
  # Without the checks whose code takes as long to compile as all others together; what they find in
  # our tests a bad access finds as well.
  add_compile_options(-fsanitize=${CAIRN_SANITIZE} -fno-sanitize=null,alignment,object-size,vptr
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)  # lets ccache see through the precompiled header
endif()

# For our own code only; generated code is compiled without.
set(CAIRN_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Werror)
if(CAIRN_SANITIZE)
  # Instrumented, g++ 12 warns of overflows that are not there; the other builds watch over warnings.
  list(APPEND CAIRN_WARNINGS -Wno-error)
endif()
