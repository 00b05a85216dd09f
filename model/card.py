"""The model card, written from measured figures so that none is typed by hand."""
from data import CLASSES
from measure import wilson


def percent(value):
    return f"{100 * value:.1f} %"


def interval(pair):
    return f"{100 * pair[0]:.1f} to {100 * pair[1]:.1f} %"


def text(manifest, found):
    """Markdown of the card from the manifest and the figures of export.evaluate."""
    valid, alone, plain = found["valid"], found["withoutDuplicates"], found["plainArgMax"]
    rows = [
        f"| {name} | {valid['counts'][name]} | {percent(valid['recall'][name])} | "
        f"{interval(wilson(valid['confusion'][i][i], valid['counts'][name]))} |"
        for i, name in enumerate(CLASSES)
    ]
    confusion = [
        f"| {name} | " + " | ".join(str(count) for count in valid["confusion"][i]) + " |"
        for i, name in enumerate(CLASSES)
    ]
    base = found["robustness"]["as is"]
    robust = [
        f"| {name} | {percent(value)} | {100 * (value - base):+.1f} |" for name, value in found["robustness"].items()
    ]
    if found["abstainBelow"] is None:
        unsure = "No threshold reaches a precision of 95 % on valid."
    else:
        unsure = (
            f"Above a calibrated confidence of {found['abstainBelow']:.3f}, 95 % of the answers on valid are right; "
            f"that keeps {percent(found['coverage'])} of the faces. Below it the page says that it is unsure. The threshold "
            "was chosen on the same faces it is reported on; on webcam faces the precision will be lower."
        )
    parity = "not checked" if found["parity"] is None else f"{found['parity']:.1e}"
    return f"""# Model card: {manifest['name']} {manifest['version']}

Written by `model/train.py`; do not edit by hand.

Names the **apparent** expression of one face in a gray 48x48 crop: {', '.join(CLASSES)}. An apparent expression is not an
inner feeling: people smile without joy and are sad with a still face, and the labels are what ten onlookers thought they saw.

| | |
|---|---|
| network | residual, dense 3x3 convolutions with squeeze-excitation, norms folded, weights stored as fp16 |
| size | {found['parameters']:,} parameters while training, {found['mmac']:.1f} MMAC per face, {found['bytes']:,} bytes of ONNX |
| input | `input` float32 [N, 1, 48, 48], (gray - 127.5) / 127.5; the graph standardises each face itself |
| output | `logits` float32 [N, 8]; probabilities are softmax(logits / {manifest['calibration']['temperature']}) |
| agreement | onnxruntime-web (wasm) and PyTorch differ by at most {parity} in the logits on random input |
| licence | {manifest['licence']} |

## What it was trained on
The FER2013 images with the FER+ votes. The images (48x48 gray faces) were collected by web search for the 2013 Kaggle
challenge and have no licence of their own; they are used for research and are not part of this project. The FER+ labels
(Barsoum et al., 2016; ten taggers an image) are under the MIT licence, Microsoft. Many of the images bear stock-photo watermarks,
some are drawings or no faces at all, and nobody recorded who is on them: no figure by age, sex or skin tone can be given, and it
must be assumed that the network does not serve all people equally well.

Training used the train split only. Train images that are byte-identical to a valid image were dropped; those identical to one another
were merged with the sum of their votes.

## Figures on the valid split
By the FER+ majority rule (single votes dropped as outliers; the top class must have more than half of the rest; unknown and
no-face images left out). Valid was used to choose the temperature, the threshold, the size at which the network is asked, and between the few runs in
[RESULTS.md](RESULTS.md), never to choose an epoch. The test split was not used. One pass per face, on the exported fp16 weights; intervals are 95 % Wilson.

| figure | value | 95 % interval |
|---|---|---|
| accuracy, {valid['n']} images | {percent(valid['accuracy'])} | {interval(valid['interval'])} |
| accuracy without the images that have a copy in the train split, {alone['n']} images | {percent(alone['accuracy'])} | {interval(alone['interval'])} |
| accuracy under plain arg-max of all votes, {plain['n']} images | {percent(plain['accuracy'])} | {interval(plain['interval'])} |
| macro recall of the eight classes | {percent(valid['macroRecall'])} | |
| calibration error (15 bins) before temperature scaling | {percent(found['eceUncalibrated'])} | |
| calibration error after it | {percent(valid['ece'])} | |
| the same, temperature fitted on the other half of valid | {percent(found['crossFittedEce'])} | |

| class | images | recall | 95 % interval |
|---|---|---|---|
{chr(10).join(rows)}

Rows are the label, columns the answer:

| | {' | '.join(CLASSES)} |
|---|{'---|' * len(CLASSES)}
{chr(10).join(confusion)}

Disgust and contempt are so rare (train and valid) that their recall is little more than an anecdote: do not build on them.

## When it is unsure
{unsure}

## Disturbed crops
Valid again (majority rule), each crop disturbed as a webcam or a detector might; this is not the whole pipeline.

| crop | accuracy | points |
|---|---|---|
{chr(10).join(robust)}

## Beside other networks
Accuracies in percent, made by `npm run model:compare`; notes and sources are in [RESULTS-COMPARISON.md](RESULTS-COMPARISON.md).

<!-- model:compare -->

Not measured yet for this version.

<!-- /model:compare -->

## What it must not be used for
- Inferring emotions of people at work or in education: prohibited in the EU outside medical and safety purposes
  (Regulation (EU) 2024/1689, the AI Act, Art. 5(1)(f)). Other emotion recognition may be high-risk there (Annex III) and people must be told (Art. 50).
- Deciding anything about a person: hiring, grading, policing, insurance, health, truthfulness.
- Watching people who do not know or did not agree.
"""
