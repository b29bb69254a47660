# A unity build compiles several files as one, in a fraction of the time: the sanitizer presets do so.
# Those of one group see each other's anonymous namespaces, so names in them must differ; which file
# stands with which must not change when another is added.

# hawser_unity_groups(target regex): the files for whose path the regex gives the same first match.
function(hawser_unity_groups target regex)
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    if(source MATCHES "${regex}")
      string(REPLACE "/" "_" group "${CMAKE_MATCH_1}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP "${group}")
    endif()
  endforeach()
endfunction()
