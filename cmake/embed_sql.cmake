# Puts the numbered SQL files of each database into the program, as store/sql/migrate.h declares them.
#
#   turnout_embed_sql(target database...)   reads src/store/<database>/NNNN_*.sql
#
# Run as a script (cmake -P) it writes the .cc file: OUT, NAME (the database) and FILES are given on the command line.

if(CMAKE_SCRIPT_MODE_FILE)
  set(body "// Generated from the SQL files of store/${NAME}. Do not edit.\n\n#include \"store/sql/migrate.h\"\n\n")
  string(APPEND body "namespace turnout::store::sql {\n\n")
  string(APPEND body "std::span<const Migration> ${NAME}_migrations() {\n  static constexpr Migration kMigrations[] = {\n")
  string(REPLACE "|" ";" FILES "${FILES}")
  set(expected 1)
  foreach(path IN LISTS FILES)
    get_filename_component(file ${path} NAME_WE)
    string(REGEX MATCH "^([0-9][0-9][0-9][0-9])_(.+)$" matched ${file})
    if(NOT matched)
      message(FATAL_ERROR "${path}: a migration is called NNNN_what.sql")
    endif()
    set(title ${CMAKE_MATCH_2})
    string(REGEX REPLACE "^0+" "" number ${CMAKE_MATCH_1})
    if(NOT number EQUAL expected)
      message(FATAL_ERROR "${path}: migration ${expected} is missing")
    endif()
    math(EXPR expected "${expected} + 1")
    file(READ ${path} text)
    # A string literal is limited by the standard to 65,536 characters; migrations are far below.
    # Its first line may say which programs go on working with the database after it; none: only those that know it.
    set(works_from ${number})
    if(text MATCHES "^-- works with programs from schema ([0-9]+)\n")
      set(works_from ${CMAKE_MATCH_1})
    endif()
    string(APPEND body "    {${number}, \"${title}\", R\"__sql__(${text})__sql__\", ${works_from}},\n")
  endforeach()
  string(APPEND body "  };\n  return kMigrations;\n}\n\n")
  string(APPEND body "}  // namespace turnout::store::sql\n")
  file(WRITE ${OUT} "${body}")
  return()
endif()

set(TURNOUT_EMBED_SQL ${CMAKE_CURRENT_LIST_FILE})

function(turnout_embed_sql target)
  foreach(database IN LISTS ARGN)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/store/${database}/[0-9]*.sql)
    list(SORT files)
    list(JOIN files "|" joined)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${database}_migrations.cc)
    add_custom_command(
      OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${database} "-DFILES=${joined}" -P ${TURNOUT_EMBED_SQL}
      DEPENDS ${files} ${TURNOUT_EMBED_SQL}
      VERBATIM)
    target_sources(${target} PRIVATE ${out})
  endforeach()
endfunction()
