"""The invented sentences that `generate.py` combines to reports.

Gaps in braces are filled once a report: {T} and {Tnext} are two neighbouring vertebrae for the finding,
{t} and {tnext} two others for the remarks (also C/c and L/l), {mm} and {n} are numbers, the rest are the
lists of `WORDS`.
"""

from dataclasses import dataclass

LEVELS = {"C": (2, 7), "T": (1, 12), "L": (1, 5)}  # first and last vertebra of a region

WORDS = {
    "side": ("left", "right"),
    "grade": ("mild", "moderate", "minor", "slight"),
    "since": ("since the last study", "since 2024", "over two years", "from the prior examination"),
    "root": ("traversing", "exiting", "descending"),
}


@dataclass(frozen=True)
class Exam:
    """A kind of examination with what is said when nothing is wrong."""

    modality: str
    body_part: str
    description: str
    techniques: tuple[str, ...]
    histories: tuple[str, ...]
    remarks: tuple[str, ...]
    conclusions: tuple[str, ...]
    denials: tuple[str, ...] = ()


SPINE_TECHNIQUES = (
    "Sagittal T1, T2 and STIR, axial T2 through the discs.",
    "Multiplanar multisequence imaging before and after {n} mL of gadolinium.",
    "Sagittal T1 and T2 weighted images with axial T2 blocks; no contrast given.",
)
SPINE_REMARKS = (
    "Alignment is normal.",
    "The paraspinal soft tissues are unremarkable.",
    "There is a {n} mm hemangioma of the {l} body with typical signal.",
    "There is {grade} facet arthropathy at several levels.",
    "Schmorl's nodes are noted at {t} and {tnext}.",
    "Disc desiccation is seen at {l}-{lnext} without height loss.",
    "The visualized portions of the kidneys are normal.",
    "There is slight curvature to the {side} in the supine position.",
    "Numbering assumes five lumbar type vertebrae.",
    "Small anterior osteophytes are seen at several levels.",
)
# Said only where nothing is found.
SPINE_DENIALS = (
    "Vertebral body heights are maintained.",
    "The marrow signal is normal for age.",
    "No fracture or destructive process is seen.",
    "There is no epidural collection.",
    "No abnormal enhancement and no intradural mass.",
)
SPINE_CONCLUSIONS = (
    "Degenerative changes without significant canal stenosis.",
    "No cord compression. No suspicious marrow lesion.",
    "Spondylosis of {grade} degree, unchanged {since}.",
    "No acute abnormality of the spine.",
)

SPINE_EXAMS = (
    Exam(
        "MR",
        "LSPINE",
        "MRI lumbar spine",
        SPINE_TECHNIQUES,
        (
            "Low back pain radiating to the {side} leg for {n} weeks.",
            "Sciatica on the {side}, not settling with physiotherapy.",
            "Chronic back pain, no red flags.",
        ),
        (
            *SPINE_REMARKS,
            "At {l}-{lnext} there is a {grade} {side} paracentral disc protrusion touching the {root} root.",
            "The L5-S1 disc is narrowed with fatty endplate change.",
            "Perineural cysts are noted at S2, of no significance.",
        ),
        (*SPINE_CONCLUSIONS, "Disc protrusion at {l}-{lnext} on the {side} in contact with the {root} root."),
        (*SPINE_DENIALS, "The conus ends at L1 and is of normal signal."),
    ),
    Exam(
        "MR",
        "CSPINE",
        "MRI cervical spine",
        SPINE_TECHNIQUES,
        (
            "Neck pain with {side} arm symptoms for {n} months.",
            "Numbness of the {side} hand. Query radiculopathy.",
            "Neck stiffness after a minor road accident.",
        ),
        (
            *SPINE_REMARKS,
            "The craniocervical junction is normal.",
            "At {c}-{cnext} a small disc osteophyte complex narrows the {side} foramen.",
            "The cerebellar tonsils are in normal position.",
        ),
        (*SPINE_CONCLUSIONS, "Foraminal stenosis of {grade} degree at {c}-{cnext} on the {side}."),
        (*SPINE_DENIALS, "The cervical cord has a normal caliber and signal."),
    ),
    Exam(
        "MR",
        "TSPINE",
        "MRI thoracic spine",
        SPINE_TECHNIQUES,
        (
            "Interscapular pain. Rule out metastases.",
            "Thoracic back pain for {n} weeks, previous breast cancer.",
            "Known osteoporosis, back pain.",
        ),
        (
            *SPINE_REMARKS,
            "Tiny central protrusions at {t}-{tnext} do not reach the cord.",
            "The lungs are clear as far as shown.",
        ),
        (*SPINE_CONCLUSIONS, "No evidence of metastatic disease in the thoracic spine."),
        (*SPINE_DENIALS, "The thoracic cord is normal in caliber and signal.", "No syrinx is seen."),
    ),
)

EXAMS = (
    *SPINE_EXAMS,
    Exam(
        "CT",
        "CHEST",
        "CT chest",
        ("Helical acquisition after {n}0 mL of intravenous contrast.", "Unenhanced low dose acquisition."),
        ("Cough for {n} weeks.", "Follow-up of a lung nodule.", "Dyspnea, raised D-dimer."),
        (
            "No focal consolidation.",
            "A {mm} mm nodule in the {side} lower lobe is unchanged {since}.",
            "No pleural or pericardial effusion.",
            "Mediastinal nodes are not enlarged.",
            "There is {grade} centrilobular emphysema in the upper lobes.",
            "Coronary artery calcification is noted.",
            "The central airways are patent.",
            "The thoracic aorta is of normal caliber.",
            "A simple cyst of the {side} kidney measures {mm} mm.",
            "The adrenal glands are normal.",
            "Degenerative change of the thoracic spine without a destructive lesion.",
            "No rib fracture.",
        ),
        (
            "No acute pulmonary abnormality.",
            "Stable {side} lower lobe nodule.",
            "Emphysema of {grade} degree. No suspicious nodule.",
        ),
    ),
    Exam(
        "MR",
        "KNEE",
        "MRI knee",
        ("Proton density with fat suppression in three planes, sagittal T1.",),
        ("Twisting injury {n} days ago.", "Medial joint pain for {n} months."),
        (
            "The {side} menisci are intact.",
            "There is a horizontal tear of the posterior horn of the medial meniscus.",
            "The cruciate ligaments are intact.",
            "The collateral ligaments are of normal thickness.",
            "There is a {grade} joint effusion.",
            "A popliteal cyst of {mm} mm is present.",
            "Cartilage loss in the patellofemoral compartment.",
            "No marrow contusion.",
            "The extensor mechanism is normal.",
            "A small enchondroma of the distal femur is noted.",
            "There is no loose body.",
        ),
        (
            "Medial meniscal tear.",
            "No internal derangement.",
            "Patellofemoral chondropathy of {grade} degree.",
        ),
    ),
    Exam(
        "CT",
        "ABDOMEN",
        "CT abdomen and pelvis",
        ("Portal venous phase with {n}0 mL of contrast, 3 mm sections.", "Unenhanced stone protocol."),
        ("Pain in the {side} flank.", "Weight loss, iron deficiency.", "Abdominal pain for {n} days."),
        (
            "The liver is of normal size without focal lesion.",
            "Simple hepatic cyst of {mm} mm.",
            "The gallbladder holds small stones.",
            "The pancreas and spleen are unremarkable.",
            "No hydronephrosis.",
            "A {n} mm calculus is seen in the {side} kidney.",
            "No bowel obstruction and no free gas.",
            "Sigmoid diverticulosis without inflammation.",
            "No enlarged retroperitoneal or pelvic nodes.",
            "The aorta is calcified but not dilated.",
            "Small fat containing umbilical hernia.",
            "Degenerative change of the lumbar spine, no fracture.",
        ),
        (
            "No cause for the pain is shown.",
            "Cholelithiasis.",
            "Renal calculus on the {side} without obstruction.",
        ),
    ),
    Exam(
        "MR",
        "HEAD",
        "MRI brain",
        ("Axial T2, FLAIR, diffusion and gradient echo, sagittal T1.",),
        ("Headache for {n} weeks.", "Dizziness.", "Memory complaints."),
        (
            "No restricted diffusion.",
            "The ventricles are of normal size.",
            "Scattered white matter foci, nonspecific.",
            "No extra-axial collection.",
            "The sella is unremarkable.",
            "The internal auditory canals are symmetrical.",
            "No susceptibility focus.",
            "Normal flow voids at the skull base.",
            "Mucosal thickening of the {side} maxillary sinus.",
            "The orbits are normal.",
            "The craniocervical junction is normal.",
            "No midline shift.",
        ),
        ("No acute intracranial abnormality.", "Small vessel disease of {grade} degree.", "Normal for age."),
    ),
)

SHARES = {"routine": 85, "soon": 10, "urgent": 3, "stat": 2}  # percent of the reports

# What is found, and how it is concluded.
FINDINGS = {
    "soon": (
        (
            "There is a {mm} mm lytic lesion in the {L} vertebral body with intact cortex.",
            "Lytic lesion of {L}, suspicious for metastasis.",
        ),
        (
            "A {mm} mm focus in {T} is dark on T1 and bright on STIR and was not there before.",
            "Indeterminate {T} lesion; metastasis is not excluded.",
        ),
        (
            "An enhancing intradural nodule of {mm} mm lies on a root at {L}.",
            "Intradural nodule at {L}, likely a schwannoma.",
        ),
        (
            "A {mm} mm long plaque is present within the cord at {C}.",
            "New demyelinating lesion of the cord at {C}.",
        ),
        (
            "There is an acute compression fracture of {T} with marrow edema.",
            "Acute {T} compression fracture without retropulsion.",
        ),
        (
            "A {mm} mm synovial cyst at {L}-{Lnext} displaces the thecal sac.",
            "Intraspinal synovial cyst at {L}-{Lnext} with mass effect.",
        ),
    ),
    "urgent": (
        (
            "The {L}-{Lnext} disc is bright on T2 with eroded endplates and marrow edema on both sides.",
            "Discitis and osteomyelitis at {L}-{Lnext}. No epidural abscess.",
        ),
        (
            "A new metastasis of {T} extends {mm} mm into the epidural space.",
            "New {T} metastasis with epidural extension. No cord compression.",
        ),
        (
            "Several enhancing nodules of up to {n} mm lie along the roots of the cauda equina.",
            "Drop metastases along the cauda equina.",
        ),
        (
            "Epidural soft tissue is seen at {T} and reaches the cord.",
            "Epidural tumor at {T}; early cord compression cannot be excluded.",
        ),
    ),
    "stat": (
        (
            "An epidural mass at {T} arising from a metastasis of the vertebral body compresses the cord.",
            "Metastatic spinal cord compression at {T}.",
        ),
        (
            "A rim enhancing collection of {mm} mm lies in the dorsal epidural space from {L} to {Lnext}.",
            "Epidural abscess {L} to {Lnext}.",
        ),
        (
            "There is a lentiform dorsal epidural collection at {T} to {Tnext} of blood signal.",
            "Acute epidural hematoma at {T} to {Tnext}.",
        ),
        (
            "A large disc extrusion at {L}-{Lnext} fills the canal and compresses the cauda equina.",
            "Cauda equina compression by a disc extrusion at {L}-{Lnext}.",
        ),
    ),
}

# What may be said of any examination.
GENERAL = (
    "The examination is of good diagnostic quality and was completed without interruption.",
    "There is some movement during the later series, which does not prevent a reliable assessment.",
    "The patient was positioned supine and tolerated the examination well; no sedation was required.",
    "The request and the previous letters were available at the time of reporting.",
    "Image {n} of the third series is degraded by an artifact and was repeated.",
    "A standard departmental protocol was followed, and no deviation from it was recorded.",
    "The kidney function was checked before the examination and was within the accepted range.",
    "Measurements were taken by the same method as before and are accurate to about one millimeter.",
    "The images were also reviewed together with a colleague at the regular afternoon meeting.",
    "The skin and the subcutaneous tissue are normal as far as they are included in the field of view.",
    "Minor incidental variants are not listed, because they have no bearing on the question asked.",
    "The remaining structures covered by the examination have the expected appearance for the patient's age.",
)

COMPARISONS = (
    "None.",
    "Examination of {n} months ago.",
    "Prior imaging from 2024.",
    "Outside films, by report only.",
)

CLOSINGS = (
    "Clinical correlation is suggested.",
    "Findings were available at the time of the clinic.",
    "No further imaging is needed for this question.",
    "Thank you for the referral.",
    "Dictated with speech recognition; please call with any question about the wording.",
)

STYLES = (
    "HISTORY: {history}\n\nCOMPARISON: {comparison}\n\nTECHNIQUE: {technique}\n\nFINDINGS: {findings}\n\n"
    "IMPRESSION:\n1. {conclusion}\n2. {closing}",
    "Clinical details: {history}\n\nTechnique: {technique}\n\nReport: {findings}\n\n"
    "Conclusion: {conclusion} {closing}",
    "{history} {technique} Comparison: {comparison}\n\n{findings}\n\n{conclusion} {closing}",
    "Indication: {history} Technique: {technique} Comparison: {comparison} Findings: {findings} "
    "Impression: {conclusion} {closing}",
)
