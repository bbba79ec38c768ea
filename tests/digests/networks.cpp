// Everything with networks in one translation unit: each would compile the kernels again.
#include "classifier.hpp"
#include "letters.hpp"
#include "training.hpp"

void training_digests() { of_training::digests(); }
void classifier_digests() { of_classifier::digests(); }
void letter_digests() { of_letters::digests(); }

Model class_model(std::vector<int> const& labels, bool worse) {
  return of_training::class_model(labels, worse);
}
Model class_gradient(std::vector<int> const& labels) { return of_classifier::class_gradient(labels); }
