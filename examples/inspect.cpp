// Says what a checkpoint is: a file of torch.save, of either kind, or safetensors.
//
//     inspect lsun_bedroom.pt                     family, configuration, what can't be known
//     inspect model040000.pt --preset Adm256      what is missing, extra or of another shape
//     inspect out/mine                            of a run's folder the network that is drawn from
#include <glyphdiff/checkpoint/inspection.hpp>
#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/io/network_file.hpp>

#include "command_line.hpp"

#include <cstdio>
#include <string>

namespace gd = glyphdiff;

int main(int argc, char** argv) try {
  std::string path, preset;
  cli::App app("Says what a checkpoint is.", "inspect");
  app.add_option("FILE", path, "a file of torch.save or safetensors, or the folder of a run")->required();
  app.add_option("--preset", preset, "compare with a released model, such as IddpmLsun256");
  bool preset_of = false;
  app.add_flag("--preset-of", preset_of,
               "print the preset that it is, with \" gray\" if in one channel, and nothing else");
  if (auto const status = app.parse(argc, argv)) return *status;

  auto const file = gd::open_tensor_file(gd::network_file(path).string());
  if (preset_of) {
    auto const match = gd::matching_preset(*file);
    std::printf("%s%s\n", match.name.c_str(), match.gray ? " gray" : "");
    return 0;
  }
  std::fputs(gd::describe_tensor_file(*file).c_str(), stdout);
  if (preset.empty()) return 0;
  auto const prefix = gd::network_prefix(file->entries());
  auto const faults = gd::list_faults(*file, gd::released_model(preset).table, prefix.value_or(""));
  std::printf("As presets::%s it %s\n", preset.c_str(),
              faults.empty() ? "can be loaded." : "can't be loaded:");
  for (std::string const& fault : faults) std::printf("  %s\n", gd::detail::printable(fault, 300).c_str());
  return faults.empty() ? 0 : 1;
} catch (std::exception const& error) {
  std::fprintf(stderr, "inspect: %s\n", error.what());
  return 2;
}
