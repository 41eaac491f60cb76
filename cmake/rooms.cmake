# A room is a static library made of the sources in src/<name>/ that may include only its own headers, those of
# the rooms named in DEPS (and theirs), and the libraries named in LIBS. `make tidy` checks the include edges
# against these lines, so the calls in src/CMakeLists.txt are the layering of the whole program.
#
#   turnout_room(name DEPS room... LIBS library... HEADERS set)

find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_program(CCACHE ccache)
if(CCACHE)
  # Another checkout of the same sources finds what this one has compiled: paths are taken relative to the checkout.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
find_program(MOLD mold)
if(MOLD AND NOT TURNOUT_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()

set(TURNOUT_SANITIZE "" CACHE STRING "sanitizers to build with, e.g. address,undefined or thread")
option(TURNOUT_MUTANTS "let the environment plant one fault at a time (src/base/mutant.h)" OFF)

add_library(turnout_options INTERFACE)
target_compile_options(turnout_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -pthread)
target_compile_features(turnout_options INTERFACE cxx_std_20)
target_include_directories(turnout_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(turnout_options INTERFACE Threads::Threads)
if(TURNOUT_SANITIZE)
  add_compile_options(-fsanitize=${TURNOUT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  # Null pointers and the ends of objects are the address sanitizer's; checked twice they cost a fifth of the build. What
  # a pointer's alignment and its object's type may be is asked at every use, and costs a twelfth.
  if(TURNOUT_SANITIZE MATCHES "address.*undefined")
    add_compile_options(-fno-sanitize=null,object-size,alignment,vptr)
  endif()
  add_link_options(-fsanitize=${TURNOUT_SANITIZE})
endif()
if(TURNOUT_MUTANTS)
  add_compile_definitions(TURNOUT_MUTANTS)
endif()

# Most of the time that a file takes goes into reading the headers of others. Two ways to read them less often:
#
# - dev, edited file by file, has them precompiled: one set for most rooms, one more for the rooms with sockets and JSON,
#   one for tests. Only headers of others are in the sets, whose text stays as it is: the compiler's cache takes a set
#   for the same when no more than a comment has changed in it, and g++ knows a header with #pragma once by every byte,
#   so one of ours would be read a second time.
# - the other presets are unity builds: CMAKE_UNITY_BUILD_BATCH_SIZE files of a room are one unit. So two files of a
#   room must not give two things one name, though both be in anonymous namespaces; files that cannot share a unit say
#   SKIP_UNITY_BUILD_INCLUSION.
#
# Neither may hide a missing #include: the presets `tidy` and `clang` do without both.
set(TURNOUT_HEADERS_plain <algorithm> <charconv> <chrono> <cmath> <cstdint> <deque> <functional> <map> <memory> <mutex>
    <optional> <set> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
set(TURNOUT_HEADERS_net ${TURNOUT_HEADERS_plain} <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
    <boost/asio/steady_timer.hpp> <nlohmann/json.hpp>)
set(TURNOUT_HEADERS_test ${TURNOUT_HEADERS_plain} <gmock/gmock.h> <gtest/gtest.h>)

if(CMAKE_UNITY_BUILD)
  # g++ takes a unit of several files for a header and warns of anonymous types in the class behind a pointer.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

# turnout_precompile(target set): `target` is compiled with the headers of the set, precompiled once for all targets.
function(turnout_precompile target set)
  set(base turnout_headers_${set})
  if(NOT TARGET ${base})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${base}.cc CONTENT "")
    add_library(${base} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/${base}.cc)
    target_link_libraries(${base} PRIVATE turnout_options fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json)
    if(set STREQUAL "test")
      target_link_libraries(${base} PRIVATE GTest::gmock GTest::gtest)
    endif()
    target_precompile_headers(${base} PRIVATE ${TURNOUT_HEADERS_${set}})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${base})
endfunction()

function(turnout_room name)
  cmake_parse_arguments(ROOM "" "HEADERS" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(turnout_${name} STATIC ${sources})
    target_link_libraries(turnout_${name} PUBLIC turnout_options)
    if(NOT ROOM_HEADERS)
      set(ROOM_HEADERS plain)
    endif()
    turnout_precompile(turnout_${name} ${ROOM_HEADERS})
    set(reach PUBLIC)
  else()
    add_library(turnout_${name} INTERFACE)
    target_link_libraries(turnout_${name} INTERFACE turnout_options)
    set(reach INTERFACE)
  endif()
  foreach(dep IN LISTS ROOM_DEPS)
    target_link_libraries(turnout_${name} ${reach} turnout_${dep})
  endforeach()
  target_link_libraries(turnout_${name} ${reach} ${ROOM_LIBS})
endfunction()

# Tests of one room: every tests/<name>/*_test.cc becomes one program, run once under ctest with the labels given.
# A main.cc there belongs to a program of its own.
# The target tests_<label> builds all programs with that label.
#
#   turnout_tests(name LABELS label... DEPS room... LIBS library... TIMEOUT seconds)
function(turnout_tests name)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "(_fuzz|/main)\\.cc$")
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE TURNOUT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  foreach(dep IN LISTS T_DEPS)
    target_link_libraries(${name}_test PRIVATE turnout_${dep})
  endforeach()
  target_link_libraries(${name}_test PRIVATE ${T_LIBS} GTest::gmock GTest::gtest_main)
  turnout_precompile(${name}_test test)
  add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}")
  if(T_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT})
  endif()
  foreach(label IN LISTS T_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name}_test)
  endforeach()
endfunction()

foreach(label unit sim db)
  add_custom_target(tests_${label})
endforeach()
