// What a training program shows of its run: in the terminal, for programs (--json), and in its folder as
// report.html, loss.csv and metrics.csv.
#pragma once

#include <glyphdiff/data/augment.hpp>
#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/metrics_log.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/io/run_report.hpp>
#include <glyphdiff/metrics/neighbours.hpp>
#include <glyphdiff/metrics/sample_table.hpp>
#include <glyphdiff/train/progress_bar.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

inline glyphdiff::ImageSpan span(glyphdiff::ImageDataset const& pictures) {
  return {pictures.images.data(), int(pictures.images.shape(0)), int(pictures.images.shape(1)),
          int(pictures.images.shape(2) * pictures.images.shape(3))};
}
inline glyphdiff::ImageSpan span(glyphdiff::HostImages const& images) {
  return {images.data(), int(images.extent(0)), int(images.extent(1)),
          int(images.extent(2) * images.extent(3))};
}

/// Every picture at a network's size, which divides theirs, as samples come.
inline glyphdiff::ImageDataset at_size(glyphdiff::ImageDataset const& pictures, int size) {
  glyphdiff::ImageDataset result;
  result.names = pictures.names;
  std::size_t const source = pictures.images.shape(1), channels = pictures.images.shape(3);
  result.images.resize({pictures.size(), std::size_t(size), std::size_t(size), channels});
  for (std::size_t i = 0; i < pictures.size(); ++i)
    glyphdiff::augment_letter(pictures.images.data() + i * source * source * channels, int(source),
                              result.images.data() + i * size * size * channels, size, int(channels), {});
  return result;
}

/// `count` pictures of a set, evenly chosen, or all that it has.
inline glyphdiff::HostImages some_of(glyphdiff::ImageDataset const& pictures, std::size_t count) {
  auto const& shape = pictures.images.shape();
  count = std::min(count, pictures.size());
  glyphdiff::HostImages chosen("glyphdiff::some_of", count, shape[1], shape[2], shape[3]);
  std::size_t const each = shape[1] * shape[2] * shape[3];
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(pictures.images.data() + i * pictures.size() / count * each, each, chosen.data() + i * each);
  return chosen;
}

/// What follows the program's name on its command line, as a shell reads it, with a space before each word.
inline std::string command_options(int argc, char** argv) {
  return argc > 1 ? " " + glyphdiff::shell_command({argv + 1, argv + argc}) : std::string();
}

class RunWatch {
 public:
  struct Options {
    std::string program;  ///< as ./run calls it
    std::filesystem::path out;
    std::string command, loss_name;
    std::int64_t steps = 0;
    int batch = 0, channels = 1;
    std::vector<std::pair<std::string, std::string>> facts{};
    bool json = false;
  };

  /// Of a run that stands at step `first`, with what it has recorded so far.
  RunWatch(Options options, std::int64_t first)
      : options_(std::move(options)),
        bar_(first, options_.steps, options_.batch, options_.json),
        step_(first) {
    if (first > 0) {
      loss_.load(options_.out, first);
      metrics_.load(options_.out, first);
    }
    event({{"event", "start"},
           {"program", options_.program},
           {"first_step", first},
           {"steps", options_.steps}});
  }

  void step(std::int64_t step, double loss) {
    step_ = step;
    loss_.add(double(step), loss);
    bar_.update(step, loss);
  }
  void pause() { bar_.pause(); }
  void resume() { bar_.resume(); }
  void save_loss() const { loss_.save(options_.out, options_.loss_name); }
  glyphdiff::MetricsLog const& metrics() const { return metrics_; }

  /// What a save has measured.
  struct Save {
    std::optional<double> held_out_loss{}, training_loss{};
    std::optional<glyphdiff::SampleReport> judged{};
  };
  void record(Save const& save) {
    recorded_ = true;
    glyphdiff::MetricsLog::Figures measured;
    if (save.held_out_loss) measured.emplace_back("held_out_loss", *save.held_out_loss);
    if (save.training_loss) measured.emplace_back("training_loss", *save.training_loss);
    if (save.judged) {
      measured.emplace_back("memorised", save.judged->warning.empty() ? 0 : 1);
      for (auto const& figure : glyphdiff::figures(*save.judged))
        measured.emplace_back(figure.key, figure.samples.value);
      judged_ = save.judged;
    }
    if (!measured.empty()) {
      metrics_.add(step_, measured);
      metrics_.save(options_.out);
    }
    std::erase_if(measured, [](auto const& figure) { return !glyphdiff::is_finite(figure.second); });
    Event line{{"event", "save"}, {"step", step_}, {"figures", measured}};
    if (auto const best = glyphdiff::best_save(metrics_)) line.emplace_back("best_step", *best);
    event(line);
  }

  /// If the newest save is the best one, its file becomes best.safetensors as well: a second name where the
  /// disk knows such, since files of saves are replaced and never changed.
  void keep_best(std::filesystem::path const& file) const {
    if (glyphdiff::best_save(metrics_) != step_) return;
    std::filesystem::path const best = options_.out / "best.safetensors";
    std::error_code error;
    std::filesystem::remove(best, error);
    std::filesystem::create_hard_link(file, best, error);
    if (error) std::filesystem::copy_file(file, best);
  }

  /// Samples for the page, each with the nearest of the training pictures; both (N,H,W,C) of one size.
  void show(glyphdiff::HostImages const& samples, glyphdiff::ImageDataset const& training) {
    auto const distances = glyphdiff::pairwise_distances(span(samples), span(training));
    auto const nearest = glyphdiff::nearest_indices(distances);
    int const h = int(samples.extent(1)), w = int(samples.extent(2)), c = int(samples.extent(3));
    std::size_t const each = std::size_t(h) * w * c;
    samples_.clear();
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      auto const picture = [&](float const* from) {
        return glyphdiff::detail::image_grid(from, 1, h, w, c, 1, 0);
      };
      samples_.push_back({picture(samples.data() + i * each),
                          picture(training.images.data() + std::size_t(nearest[i]) * each),
                          distances(Eigen::Index(i), nearest[i])});
    }
  }

  /// Rewrites report.html. `what` happens: "training", "finished". `final`: figures for its table with
  /// limits, if not those of the last save.
  void write(std::string const& what, std::optional<glyphdiff::SampleReport> const& final = {},
             std::vector<glyphdiff::GateItem> const& limits = {}) {
    // Without a save of this call there is less to show than the page has.
    if (!recorded_ && !final && std::filesystem::exists(options_.out / "report.html")) return;
    glyphdiff::RunReport page;
    page.title = options_.program;
    page.status =
        what + " after " + std::to_string(step_) + " of " + std::to_string(options_.steps) + " updates";
    if (auto const best = glyphdiff::best_save(metrics_))
      page.status += "; the best save so far is that of update " + std::to_string(*best);
    auto const& judged = final ? final : judged_;
    if (judged && !judged->warning.empty()) page.warnings.push_back(judged->warning);
    page.samples = samples_;
    for (std::int64_t const step : glyphdiff::drawn_sheets(options_.out, step_))
      page.progress.push_back(
          {step, glyphdiff::read_image(glyphdiff::sheet_path(options_.out, step), options_.channels)});
    page.plots = plots(judged);
    if (judged) {
      page.figures_note = std::to_string(judged->samples.count) + " samples beside " +
                          std::to_string(judged->real.count) + " real pictures that were held out.";
      for (auto const& figure : glyphdiff::figures(*judged))
        page.figures.push_back({figure.name, glyphdiff::figure_text(figure, figure.samples),
                                glyphdiff::figure_text(figure, figure.real),
                                glyphdiff::gate_text(limits, figure.key)});
    }
    page.facts = options_.facts;
    page.command = options_.command;
    glyphdiff::write_report(options_.out, page);
  }

  /// Ctrl-C came, and a checkpoint is there.
  void stopped() {
    bool const fresh = options_.command.find(" --fresh") != std::string::npos;
    std::fprintf(options_.json ? stderr : stdout,
                 "stopped at step %lld; the same command%s goes on from there\n",
                 static_cast<long long>(step_), fresh ? " without --fresh" : "");
    write("stopped");
    end("stopped");
  }
  void end(std::string const& reason) const {
    event({{"event", "end"}, {"step", step_}, {"reason", reason}, {"out", options_.out.string()}});
  }

 private:
  using Event = std::vector<std::pair<std::string, JsonValue>>;
  void event(Event const& line) const {
    if (options_.json) print_json_line(line);
  }

  std::vector<glyphdiff::RunReport::Plot> plots(std::optional<glyphdiff::SampleReport> const& judged) const {
    static constexpr int width = 420, height = 280;
    std::vector<glyphdiff::RunReport::Plot> plots;
    std::vector<double> smooth;
    for (double value : loss_.loss)
      smooth.push_back(smooth.empty() ? value : 0.98 * smooth.back() + 0.02 * value);
    glyphdiff::RunReport::Plot losses{{{"each update, mean of about 50", loss_.step, smooth},
                                       metrics_.series("training_loss", "training pictures"),
                                       metrics_.series("held_out_loss", "held-out pictures")},
                                      {.title = "Loss",
                                       .x = "updates",
                                       .y = options_.loss_name,
                                       .log_y = true,
                                       .width = width,
                                       .height = height + 40}};
    std::erase_if(losses.series, [](auto const& series) { return series.x.empty(); });
    if (!losses.series.empty()) plots.push_back(losses);
    if (!judged) return plots;
    for (auto const& figure : glyphdiff::figures(*judged)) {
      if (figure.key.ends_with("_quartile")) continue;
      auto const measured = metrics_.series(figure.key, "samples");
      if (measured.x.empty()) continue;
      glyphdiff::RunReport::Plot plot{
          {measured}, {.title = figure.name, .x = "updates", .y = "", .width = width, .height = height}};
      if (glyphdiff::is_finite(figure.real.value))
        plot.series.push_back({.name = "real letters",
                               .x = {measured.x.front(), measured.x.back()},
                               .y = {figure.real.value, figure.real.value},
                               .dashed = true});
      plots.push_back(plot);
    }
    return plots;
  }

  Options options_;
  glyphdiff::ProgressBar bar_;
  glyphdiff::LossLog loss_;
  glyphdiff::MetricsLog metrics_;
  std::int64_t step_;
  bool recorded_ = false;  // a save of this call
  std::optional<glyphdiff::SampleReport> judged_;
  std::vector<glyphdiff::RunReport::Sample> samples_;
};
