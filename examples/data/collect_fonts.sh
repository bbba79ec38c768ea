#!/bin/sh
# Downloads and unpacks (installs nothing) Debian's small font packages, for make_letter_atlas.
#
#   sh collect_fonts.sh FOLDER
#
# FOLDER/packages/NAME_VERSION_ARCH.deb   what apt-get downloaded
# FOLDER/unpacked/NAME/...                their contents
# FOLDER/fonts.tsv                        font file <tab> package <tab> licence, sorted
#
# Only the free archive area ("main") is taken. The licence is the short name in the package's copyright file: that of
# the stanza which names the font file, else of "Files: *"; where there is no such name, the path of the file to read.
set -eu
export LC_ALL=C

[ $# -eq 1 ] || { echo "usage: sh collect_fonts.sh FOLDER" >&2; exit 2; }
mkdir -p "$1/packages" "$1/unpacked"
cd "$1"

largest_package=8000000  # bytes; the larger ones are nearly all Chinese, Japanese or Korean

apt-cache pkgnames fonts- | sort | xargs apt-cache show --no-all-versions |
  awk -v largest="$largest_package" '
  /^Package: /  { package = $2 }
  /^Size: /     { size = $2 }
  /^Filename: / { main_area = $2 ~ /^pool\/(updates\/)?main\// }
  /^$/          { if (package != "" && main_area && size < largest) print package; package = ""; main_area = 0 }
  END           { if (package != "" && main_area && size < largest) print package }' | sort > wanted

while read -r package; do
  set -- packages/"$package"_*.deb
  [ -e "$1" ] || echo "$package"
done < wanted > missing
if [ -s missing ]; then (cd packages && xargs apt-get download -q < ../missing); fi

licence_of() {  # copyright file, font file name, package
  awk -v font="$2" -v fallback="see /usr/share/doc/$3/copyright" '
    function tidy(name,   plain) {
      gsub(/^[ \t]+|[ \t]+$/, "", name)
      plain = tolower(name); gsub(/[-_, ]+/, " ", plain)
      if (plain ~ /^(sil )?(ofl|open font licen[cs]e|sil)( (v|version )?1\.1.*)?$/) return "OFL-1.1"
      if (tolower(name) ~ /^(other|custom|original)$/) return fallback
      return name == "Expat" ? "MIT" : name
    }
    function glob(pattern) {  # to a regular expression
      gsub(/[][.+(){}^$|\\]/, "\\\\&", pattern); gsub(/\*/, ".*", pattern); gsub(/\?/, ".", pattern)
      return "^" pattern "$"
    }
    function stem(name) { sub(/.*\//, "", name); sub(/\.[^.*]*$/, "", name); return name }
    function end_of_stanza(   i, n, pattern) {
      if (files != "" && licence != "") {
        n = split(files, pattern, /[ \t,]+/)
        for (i = 1; i <= n; ++i) {
          if (pattern[i] == "") continue
          if (pattern[i] == "*") any = licence
          else if (stem(pattern[i]) !~ /^[*.]*$/ && stem(font) ~ glob(stem(pattern[i]))) named = licence
          else if (pattern[i] !~ /debian\// && first == "") first = licence
        }
      }
      files = licence = ""; in_files = 0
    }
    /^Format(-Specification)?:/ { machine_readable = 1 }
    /^[ \t]*$/ { end_of_stanza(); next }
    /^Files:/ { files = substr($0, 7); in_files = 1; next }
    /^[ \t]/ { if (in_files) files = files " " $0; next }
    { in_files = 0 }
    /^License:/ { licence = tidy(substr($0, 9)); next }
    { if (tolower($0) ~ /open font licen[cs]e/) open_font_licence = 1; if ($0 ~ /General Public/) gpl = 1 }
    END {
      end_of_stanza()
      if (named != "") print named
      else if (any != "") print any
      else if (machine_readable && first != "") print first
      else print fallback
    }' "$1"
}

while read -r package; do
  folder=unpacked/$package
  if ! [ -d "$folder" ]; then
    set -- packages/"$package"_*.deb
    rm -rf unpacking && mkdir unpacking
    dpkg-deb -x "$1" unpacking
    mv unpacking "$folder"
  fi
  copyright=$folder/usr/share/doc/$package/copyright
  [ -f "$copyright" ] || copyright=/dev/null
  find "$folder" -type f \( -iname '*.ttf' -o -iname '*.otf' -o -iname '*.ttc' \) | sort |
  while read -r font; do
    printf '%s\t%s\t%s\n' "$font" "$package" "$(licence_of "$copyright" "${font##*/}" "$package")"
  done
done < wanted > fonts.tsv
echo "$(wc -l < wanted) packages, $(wc -l < fonts.tsv) font files: $PWD/fonts.tsv"
