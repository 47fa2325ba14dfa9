# Every translation unit starts from one precompiled header; the headers are most of a build's time.
option(CAIRN_PRECOMPILED "Start every translation unit from one precompiled header" ON)
if(CAIRN_PRECOMPILED)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cc CONTENT "// Carries the precompiled header.\n")
  add_library(cairn_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_include_directories(cairn_precompiled PRIVATE ${CMAKE_SOURCE_DIR})
  target_precompile_headers(cairn_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
  # Never out of a cache: g++ knows #pragma once files of a precompiled header by their times, and one
  # made from another checkout's files defines everything twice.
  set_target_properties(cairn_precompiled PROPERTIES CXX_COMPILER_LAUNCHER "")
endif()

# Several files of a target at a time: the headers of one cost more than all the rest. Off, an edit
# costs less.
option(CAIRN_UNITY "Compile several files of a target together" ON)

# cairn_library(NAME SOURCES... DEPS...), cairn_executable(...), cairn_test(...): our warnings on our code.
function(cairn_setup_target name)
  target_compile_options(${name} PRIVATE ${CAIRN_WARNINGS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  if(CAIRN_PRECOMPILED)
    target_include_directories(${name} SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/proto)
    target_precompile_headers(${name} REUSE_FROM cairn_precompiled)
  endif()
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${CAIRN_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(CAIRN_FAULTS)
    target_compile_definitions(${name} PRIVATE CAIRN_FAULTS)
  endif()
endfunction()

function(cairn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  cairn_setup_target(${name})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
endfunction()

function(cairn_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  cairn_setup_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  if(TARGET cairn_thread_sanitizer_locks)
    target_link_libraries(${name} PRIVATE cairn_thread_sanitizer_locks)
  endif()
endfunction()

# One test binary per folder. Labels: the tier (ci, full), and `unit` for what also runs under sanitizers.
add_custom_target(unit_tests)
function(cairn_test name)
  cmake_parse_arguments(ARG "" "TIER;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  cairn_executable(${name} SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  if(NOT ARG_TIER)
    set(ARG_TIER ci)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_TIER};unit" TIMEOUT ${ARG_TIMEOUT})
  add_dependencies(unit_tests ${name})
endfunction()
